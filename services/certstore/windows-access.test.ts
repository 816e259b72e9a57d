import { describe, expect, it } from 'vitest';
import { readersInSddl, WindowsAccess } from './windows-access.ts';

const me = 'S-1-5-21-1-2-3-1001';

function fake(sddl: string): { access: WindowsAccess; calls: string[][]; inputs: string[] } {
  const calls: string[][] = [];
  const inputs: string[] = [];
  const access = new WindowsAccess((program, args, { input = '' } = {}) => {
    inputs.push(input);
    calls.push([program, ...args]);
    if (program.endsWith('whoami.exe')) return Promise.resolve(`"NORTHWIND\\backup","${me}"\r\n`);
    return Promise.resolve(program.endsWith('powershell.exe') ? `${sddl}\r\n` : '');
  }, 'W:\\root');
  return { access, calls, inputs };
}

describe('WindowsAccess', () => {
  it('grants access only to the creator, LocalSystem and Administrators', async () => {
    const { access, calls } = fake('');
    await access.apply('C:\\store\\key.pem', 'file');
    await access.apply('C:\\store', 'folder');
    const grants = (flags: string): string[] => ['S-1-5-18', 'S-1-5-32-544', me].map((sid) => `*${sid}:${flags}F`);
    const icacls = 'W:\\root\\System32\\icacls.exe';
    expect(calls.slice(1)).toEqual([
      [icacls, 'C:\\store\\key.pem', '/inheritance:r', '/grant:r', ...grants(''), '/q'],
      [icacls, 'C:\\store', '/inheritance:r', '/grant:r', ...grants('(OI)(CI)'), '/q'],
    ]);
  });

  it('starts programs of Windows by their full path, never a program from the working folder', async () => {
    const { access, calls } = fake('D:PAI');
    await access.apply('C:\\k', 'file');
    await access.readers('C:\\k');
    expect(new Set(calls.map(([program]) => program))).toEqual(
      new Set([
        'W:\\root\\System32\\whoami.exe',
        'W:\\root\\System32\\icacls.exe',
        'W:\\root\\System32\\WindowsPowerShell\\v1.0\\powershell.exe',
      ]),
    );
  });

  it('accepts its own ACL and names the readers', async () => {
    const { access } = fake(`O:${me}G:DUD:PAI(A;;FA;;;SY)(A;;FA;;;BA)(A;;FA;;;${me})`);
    expect(await access.findTooWide('x')).toBeUndefined();
    expect(await access.readers('x')).toEqual(['LocalSystem', 'Administrators', 'NORTHWIND\\backup']);
    expect(await access.currentAccount()).toBe('NORTHWIND\\backup');
  });

  it('names every other account that can read', async () => {
    const { access } = fake(`D:AI(A;ID;FA;;;SY)(A;ID;0x1200a9;;;BU)(A;;FR;;;WD)(A;;FA;;;S-1-5-21-9-9-9-500)`);
    expect(await access.findTooWide('C:\\k')).toBe('C:\\k can be read by Users, Everyone, S-1-5-21-9-9-9-500');
  });

  it('passes a path on standard input, because PowerShell treats all arguments after -Command as script', async () => {
    const { access, calls, inputs } = fake('D:PAI');
    await access.readers("C:\\Größe '; Remove-Item x");
    const [, ...args] = calls.find(([program = '']) => program.endsWith('powershell.exe')) ?? [];
    expect(args.indexOf('-Command')).toBe(args.length - 2);
    expect(calls.flat().filter((part) => part.includes('Remove-Item'))).toEqual([]);
    const [input = ''] = inputs.filter((text) => text !== '');
    expect(input).toMatch(/^[A-Za-z0-9+/=]+\n$/);
    expect(Buffer.from(input, 'base64').toString('utf8')).toBe("C:\\Größe '; Remove-Item x");
  });
});

describe('readersInSddl', () => {
  it.each<[string, string[]]>([
    ['D:PAI(A;;FA;;;SY)', ['LocalSystem']],
    ['D:PAI', []],
    ['O:BAG:SY', ['Everyone']],
    ['D:NO_ACCESS_CONTROL', ['Everyone']],
    ['D:(D;;FA;;;WD)(A;;FA;;;BA)', ['Administrators']],
    ['D:(A;OICIIO;FA;;;WD)', []],
    ['D:(A;;0x100180;;;WD)', []],
    ['D:(A;;0x1;;;WD)', ['Everyone']],
    ['D:(A;;SDRC;;;WD)', []],
    ['D:(A;;GA;;;S-1-1-0)', ['Everyone']],
  ])('%s: %j', (sddl, names) => {
    expect(readersInSddl(sddl).map(({ name }) => name)).toEqual(names);
  });
});
