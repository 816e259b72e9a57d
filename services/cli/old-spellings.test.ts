import { describe, expect, it } from 'vitest';
import { runCli } from '../testing/site/run-cli.ts';
import { makeTemporaryFolder } from '../testing/temporary-folder.ts';
import { withCurrentSpelling } from './old-spellings.ts';

describe('old command names', () => {
  it.each([
    [
      ['licence', 'show'],
      [0, 1],
      ['license', 'show'],
    ],
    [
      ['--home', 'licence', 'licence', 'show'],
      [2, 3],
      ['--home', 'licence', 'license', 'show'],
    ],
    [
      ['gateway', 'enrol-token', 'enrol'],
      [0, 1, 2],
      ['gateway', 'enroll-token', 'enrol'],
    ],
    [
      ['gateway', 'enrol', '--replace'],
      [0, 1],
      ['gateway', 'enroll', '--replace'],
    ],
    [
      ['licence', 'issue', '--organisation=A'],
      [0, 1],
      ['license', 'issue', '--organization=A'],
    ],
    [
      ['license', 'issue', '--organisation', 'A'],
      [0, 1],
      ['license', 'issue', '--organization', 'A'],
    ],
    [
      ['job', 'enrol', '--organisation'],
      [0, 1],
      ['job', 'enrol', '--organisation'],
    ],
    [['constructor'], [0], ['constructor']],
    [[], [], []],
  ])('turns %j into current names', (typed, operandsAt, current) => {
    expect(withCurrentSpelling(typed, operandsAt)).toEqual(current);
  });

  it('are accepted by the command but not named in any help', async () => {
    const home = await makeTemporaryFolder();
    const help = await runCli(['licence', 'issue', '--help', '--home', home]);
    expect(help.exitCode).toBe(0);
    expect(help.stdout).toContain('--organization <name>');
    expect(help.stdout).not.toContain('licence');
    const missing = await runCli(['gateway', 'enrol', '--token-file', 'no-such-file', '--json', '--home', home]);
    expect(missing.exitCode).toBe(1);
    expect(missing.stdout).toContain('no-such-file');
  });
});
