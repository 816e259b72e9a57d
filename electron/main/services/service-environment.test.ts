import { expect, it } from 'vitest';
import { serviceEnvironment } from './service-environment.ts';

it('keeps what a service needs and nothing by which code could be loaded into it', () => {
  const environment = serviceEnvironment(
    {
      PATH: '/usr/bin',
      LC_TIME: 'de_DE.UTF-8',
      Path: 'C:\\Windows',
      NODE_OPTIONS: '--require /tmp/evil.js',
      ELECTRON_RUN_AS_NODE: '1',
      LD_PRELOAD: '/tmp/evil.so',
      AWS_SECRET_ACCESS_KEY: 'x',
      FARKEEP_HOME: '/elsewhere',
    },
    '/srv/farkeep',
  );
  expect(environment).toEqual({
    PATH: '/usr/bin',
    LC_TIME: 'de_DE.UTF-8',
    Path: 'C:\\Windows',
    FARKEEP_HOME: '/srv/farkeep',
  });
});
