// Owns the temporary names of files and folders during a restore. A name identifies the process that uses it. So the next restore at the
// same place removes the remains of dead processes and keeps the files of living processes (docs/repository-format.md, section 7).
import { hash, randomBytes } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { isNotPermitted } from '../../kernel/system-error.ts';

interface Maker {
  /** 8 hex digits that identify this machine and this process's PID namespace (a container has its own). */
  readonly machine: string;
  /** 8 hex digits that identify the machine's current boot. */
  readonly boot: string;
  readonly pid: number;
  /** Start time of the process, in the system's unit, because process numbers are reused. */
  readonly startedAt: string;
}

/**
 * A temporary name from another machine or container counts as left behind after this time. This machine cannot check whether the process
 * of such a name is alive, so only the age counts.
 */
const foreignLifetimeMs = 24 * 60 * 60 * 1000;
const pattern = /^\.farkeep-([0-9a-f]{8})([0-9a-f]{8})-([0-9a-f]{1,8})-([0-9a-f]{1,16})-[0-9a-f]{1,16}(-top)?\.part$/;

let own: Maker | undefined;
/** Starts at a random number, so that two threads of a process use different names. */
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

/** Returns a new, unique temporary name. */
export function temporaryName(kind: '' | 'top' = ''): Buffer {
  const { machine, boot, pid, startedAt } = thisProcess();
  next = (next + 1) % 2 ** 48;
  const mark = kind === 'top' ? '-top' : '';
  return Buffer.from(
    `.farkeep-${machine}${boot}-${pid.toString(16)}-${startedAt}-${next.toString(16).padStart(12, '0')}${mark}.part`,
  );
}

/** Whether the name is a temporary name of a restore. */
export function isTemporaryName(name: Buffer): boolean {
  return name.length < 100 && pattern.test(name.toString('latin1'));
}

/** Whether the name marks a top folder that a restore has made and not finished. */
export function isTopMark(name: Buffer): boolean {
  return name.length < 100 && pattern.exec(name.toString('latin1'))?.[5] !== undefined;
}

/** Whether the restore that made this temporary name has ended. @param ageMs time since the last change of the entry */
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

/** Start time of a process: field 22 of proc(5) stat, in hex. undefined when the process or /proc does not exist. */
function startOf(pid: number): string | undefined {
  const text = read(`/proc/${pid}/stat`);
  // The second field, the process name in brackets, can contain any characters.
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
    return isNotPermitted(error);
  }
}

function shortHash(text: string): string {
  return hash('sha256', text).slice(0, 8);
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return undefined; // This system has no such file.
  }
}

function readLink(file: string): string | undefined {
  try {
    return readlinkSync(file);
  } catch {
    return undefined; // not there on this system
  }
}
