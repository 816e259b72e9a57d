// Owns access rights on Windows: an ACL for the creator, LocalSystem and Administrators, without inheritance. Must not start programs; the
// caller passes a runner. Identifies accounts by SID, because Windows translates their names.
import os from 'node:os';
import type { AccessControl, EntryKind } from './access-control.ts';
import type { CommandRunner } from './command-runner.ts';
import { windowsProgram } from './windows-programs.ts';

const readSddl =
  '$lines = @($input); ' +
  '(Get-Acl -LiteralPath ([Text.Encoding]::UTF8.GetString([Convert]::FromBase64String($lines[0])))).Sddl';

const localSystem = 'S-1-5-18';
const administrators = 'S-1-5-32-544';
const wellKnown: Readonly<Record<string, { readonly sid: string; readonly name: string }>> = {
  SY: { sid: localSystem, name: 'LocalSystem' },
  BA: { sid: administrators, name: 'Administrators' },
  WD: { sid: 'S-1-1-0', name: 'Everyone' },
  BU: { sid: 'S-1-5-32-545', name: 'Users' },
  AU: { sid: 'S-1-5-11', name: 'Authenticated Users' },
  IU: { sid: 'S-1-5-4', name: 'Interactive' },
  CO: { sid: 'S-1-3-0', name: 'Creator Owner' },
  OW: { sid: 'S-1-3-4', name: 'Owner Rights' },
  BG: { sid: 'S-1-5-32-546', name: 'Guests' },
  AN: { sid: 'S-1-5-7', name: 'Anonymous' },
};

/** ACE rights that allow reading the content: FA/FR/GA/GR, or FILE_READ_DATA in a mask. */
const readRights = ['FA', 'FR', 'GA', 'GR'];

export class WindowsAccess implements AccessControl {
  readonly fileMode = 0o600;
  readonly folderMode = 0o700;
  readonly #run: CommandRunner;
  readonly #systemRoot: string | undefined;
  #account: Promise<{ sid: string; name: string }> | undefined;

  /** @param systemRoot `%SystemRoot%` */
  constructor(run: CommandRunner, systemRoot: string | undefined = process.env['SystemRoot']) {
    this.#run = run;
    this.#systemRoot = systemRoot;
  }

  async apply(entry: string, kind: EntryKind): Promise<void> {
    const { sid } = await this.#me();
    const inherit = kind === 'folder' ? '(OI)(CI)' : '';
    const grants = [...new Set([localSystem, administrators, sid])].map((who) => `*${who}:${inherit}F`);
    // /grant:r replaces existing rights, /inheritance:r removes inherited ones.
    await this.#run(windowsProgram('icacls.exe', this.#systemRoot), [
      entry,
      '/inheritance:r',
      '/grant:r',
      ...grants,
      '/q',
    ]);
  }

  async findTooWide(entry: string): Promise<string | undefined> {
    const { sid } = await this.#me();
    const strangers = (await this.#readerIds(entry)).filter(
      (reader) => ![localSystem, administrators, sid].includes(reader.sid),
    );
    return strangers.length === 0
      ? undefined
      : `${entry} can be read by ${strangers.map(({ name }) => name).join(', ')}`;
  }

  async readers(entry: string): Promise<string[]> {
    const me = await this.#me();
    return (await this.#readerIds(entry)).map(({ sid, name }) => (sid === me.sid ? me.name : name));
  }

  async currentAccount(): Promise<string> {
    return (await this.#me()).name;
  }

  async #readerIds(entry: string): Promise<Array<{ sid: string; name: string }>> {
    // PowerShell treats every argument after -Command as a part of the script, so an attacker could name a file such that its path runs as
    // code. On standard input, in base64, the path stays data with any name and any code page.
    const program = windowsProgram('powershell.exe', this.#systemRoot);
    const sddl = await this.#run(program, ['-NoProfile', '-NonInteractive', '-Command', readSddl], {
      input: `${Buffer.from(entry, 'utf8').toString('base64')}\n`,
    });
    return readersInSddl(sddl.trim());
  }

  #me(): Promise<{ sid: string; name: string }> {
    const program = windowsProgram('whoami.exe', this.#systemRoot);
    this.#account ??= this.#run(program, ['/user', '/fo', 'csv', '/nh']).then((line) => {
      const [, name, sid] = /^"([^"]+)","(S-[0-9-]+)"/.exec(line.trim()) ?? [];
      if (sid === undefined) throw new Error('whoami did not name the account');
      return { sid, name: name ?? os.userInfo().username };
    });
    return this.#account;
  }
}

/** Accounts that may read according to the DACL of a security descriptor in SDDL. Without a DACL everybody may read. */
export function readersInSddl(sddl: string): Array<{ sid: string; name: string }> {
  const everyone = { sid: 'S-1-1-0', name: 'Everyone' };
  const dacl = /D:([A-Z_]*)((?:\([^()]*\))*)/.exec(sddl);
  if (dacl === null || dacl[1]?.includes('NO_ACCESS_CONTROL') === true) return [everyone];
  const readers = new Map<string, { sid: string; name: string }>();
  for (const [, entry = ''] of (dacl[2] ?? '').matchAll(/\(([^()]*)\)/g)) {
    const [type, flags = '', rights = '', , , trustee = ''] = entry.split(';');
    // Entries with the flag IO (inherit only) do not apply to this file or folder, only to the content of a folder.
    const isAboutThis = !(flags.match(/../g) ?? ['']).includes('IO');
    if (type !== 'A' || !isAboutThis || !canRead(rights)) continue;
    const reader = wellKnown[trustee] ??
      Object.values(wellKnown).find(({ sid }) => sid === trustee) ?? { sid: trustee, name: trustee };
    readers.set(reader.sid, reader);
  }
  return [...readers.values()];
}

function canRead(rights: string): boolean {
  if (/^0x[0-9a-f]+$/i.test(rights)) return (Number(rights) & 0x1) !== 0 || (Number(rights) & 0x9000_0000) !== 0;
  return (rights.match(/../g) ?? []).some((right) => readRights.includes(right) || right === 'CC');
}
