import { expect, it } from 'vitest';
import { passedEnvironment } from './environment.ts';

it('keeps the variables that a child needs, and none that could load code into the child', () => {
  const environment = passedEnvironment({
    PATH: '/usr/bin',
    LC_TIME: 'de_DE.UTF-8',
    XDG_RUNTIME_DIR: '/run/user/1',
    Path: 'C:\\Windows',
    NODE_OPTIONS: '--require /tmp/evil.js',
    ELECTRON_RUN_AS_NODE: '1',
    LD_PRELOAD: '/tmp/evil.so',
    AWS_SECRET_ACCESS_KEY: 'x',
    FARKEEP_HOME: '/elsewhere',
  });
  expect(environment).toEqual({
    PATH: '/usr/bin',
    LC_TIME: 'de_DE.UTF-8',
    XDG_RUNTIME_DIR: '/run/user/1',
    Path: 'C:\\Windows',
  });
});
