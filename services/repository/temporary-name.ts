// Owns the names under which a restore makes things before they are in their place. A name tells which process makes it, so that the next
// restore into that place removes what a dead one has left and nothing of one that lives (docs/repository-format.md, section 7).
import { hash, randomBytes } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

interface Maker {
  /** 8 hex digits: this machine, as seen from this process's namespace of process numbers (a container has one of its own). */
  readonly machine: string;
  /** 8 hex digits: since when it runs. */
  readonly boot: string;
  readonly pid: number;
  /** When the process started, in the system's own unit; a process number is used again. */
  readonly startedAt: string;
}

/** The maker is of another machine, or of another container: nobody here can tell whether it lives. */
const foreignLifetimeMs = 24 * 60 * 60 * 1000;
const pattern = /^\.farkeep-([0-9a-f]{8})([0-9a-f]{8})-([0-9a-f]{1,8})-([0-9a-f]{1,16})-[0-9a-f]{1,16}(-top)?\.part$/;

let own: Maker | undefined;
/** Not the same in two threads of a process. */
let next = randomBytes(6).readUIntBE(0, 6);

function thisProcess(): Maker {
  own ??= {
    machine: shortHash((read('/etc/machine-id') ?? hostname()) + (readLink('/proc/self/ns/pid') ?? '')),
    boot: shortHash(read('/proc/sys/kernel/random/boot_id') ?? ''),
    pid: process.pid,
    startedAt: startOf(process.pid) ?? '0',
  };
  return own;
}

/** A name that nothing else has; different for every call. */
export function temporaryName(kind: '' | 'top' = ''): Buffer {
  const { machine, boot, pid, startedAt } = thisProcess();
  next = (next + 1) % 2 ** 48;
  const mark = kind === 'top' ? '-top' : '';
  return Buffer.from(
    `.farkeep-${machine}${boot}-${pid.toString(16)}-${startedAt}-${next.toString(16).padStart(12, '0')}${mark}.part`,
  );
}

/** Whether a restore has made, or makes, something under this name. */
export function isTemporaryName(name: Buffer): boolean {
  return name.length < 100 && pattern.test(name.toString('latin1'));
}

/** Whether it marks a top folder that a restore has made and not finished. */
export function isTopMark(name: Buffer): boolean {
  return name.length < 100 && pattern.exec(name.toString('latin1'))?.[5] !== undefined;
}

/** Whether the restore that made this temporary name is over. @param ageMs since what stands there was changed last */
export function isLeftBehind(name: Buffer, ageMs: () => number): boolean {
  const [, machine, boot, pidText = '', startedAt] = pattern.exec(name.toString('latin1')) ?? [];
  if (machine === undefined) return false;
  const here = thisProcess();
  if (machine !== here.machine) return ageMs() > foreignLifetimeMs;
  if (boot !== here.boot) return true;
  const pid = parseInt(pidText, 16);
  if (pid === here.pid) return startedAt !== here.startedAt;
  const now = startOf(pid);
  return now === undefined ? !isRunning(pid) : now !== startedAt;
}

/** Field 22 of proc(5) stat, in hex; undefined when there is no such process, or no /proc. */
function startOf(pid: number): string | undefined {
  const text = read(`/proc/${pid}/stat`);
  // The second field, the name in brackets, may hold anything.
  const start = text
    ?.slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .at(19);
  return start === undefined ? undefined : BigInt(start).toString(16);
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

function shortHash(text: string): string {
  return hash('sha256', text).slice(0, 8);
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return undefined; // not there on this system
  }
}

function readLink(file: string): string | undefined {
  try {
    return readlinkSync(file);
  } catch {
    return undefined; // not there on this system
  }
}
