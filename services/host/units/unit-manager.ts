// Owns the units of one instance on this computer: whether each is on, writing and enabling it, disabling and removing it. Runs systemctl.
// Must not start a service in another way.
import { access, mkdir, readFile, rm } from 'node:fs/promises';
import { homedir, userInfo } from 'node:os';
import path from 'node:path';
import type { ServiceRole } from '../../contracts/contract.ts';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import { writeFileAtomically } from '../../kernel/state/atomic-file.ts';
import { isMissing } from '../../kernel/system-error.ts';
import { runProgram } from '../../process/run-program.ts';
import { homeArgument, serviceUnitText, unitName, type ServiceUnitOptions, type UnitScope } from './service-unit.ts';

export interface UnitPlan {
  readonly role: ServiceRole;
  readonly scope: UnitScope;
  readonly home: string;
  readonly file: string;
  readonly text: string;
  /** What `enable` runs after it has written the file; a person can type it. */
  readonly commands: readonly string[];
}

export interface UnitManagerOptions {
  /** Default: `system` for root, else `user`. */
  readonly scope?: UnitScope;
  readonly environment?: NodeJS.ProcessEnv;
  /** Runs a program to its end. @returns standard output. @throws Error with the reason */
  readonly run?: (program: string, args: readonly string[]) => Promise<string>;
  /** Exists when systemd manages this computer. */
  readonly systemdMark?: string;
}

/** sd_booted(3) */
const defaultSystemdMark = '/run/systemd/system';

export class UnitManager {
  readonly scope: UnitScope;
  readonly #folder: string;
  readonly #run: NonNullable<UnitManagerOptions['run']>;
  readonly #systemdMark: string;

  constructor(options: UnitManagerOptions = {}) {
    const { environment = process.env, run = runProgram, systemdMark = defaultSystemdMark } = options;
    this.scope = options.scope ?? (isRoot() ? 'system' : 'user');
    this.#folder = this.scope === 'system' ? '/etc/systemd/system' : userUnitFolder(environment);
    this.#run = run;
    this.#systemdMark = systemdMark;
  }

  plan(unit: Omit<ServiceUnitOptions, 'scope'>): UnitPlan {
    const { role, home } = unit;
    const name = unitName(role);
    const control = this.scope === 'system' ? 'systemctl' : 'systemctl --user';
    return {
      role,
      scope: this.scope,
      home,
      file: path.join(this.#folder, name),
      text: serviceUnitText({ ...unit, scope: this.scope }),
      commands: [
        `${control} daemon-reload`,
        `${control} enable --now ${name}`,
        // Without this, a user unit runs only while its account is logged in.
        ...(this.scope === 'user' ? ['loginctl enable-linger'] : []),
      ],
    };
  }

  /** Why units cannot be switched on here; null when they can. */
  async problem(): Promise<string | null> {
    try {
      await access(this.#systemdMark);
    } catch {
      return 'systemd does not manage this computer.';
    }
    try {
      await this.#systemctl(['--version']);
      return null;
    } catch {
      return 'The program systemctl is missing.';
    }
  }

  /** Whether the unit exists for this instance and starts with the computer. */
  async isOn(plan: UnitPlan): Promise<boolean> {
    if ((await this.#owner(plan)) !== 'this') return false;
    // `is-enabled` ends with exit code 1 for a unit that is not enabled.
    return (await this.#systemctl(['is-enabled', unitName(plan.role)]).catch(() => '')).trim() === 'enabled';
  }

  /**
   * Writes the unit, then enables and starts it. Undoes its work after a failure.
   * @returns a warning when the service starts with the session of the account only; else null
   * @throws FarkeepError service.start-failed with the output of systemctl; call.conflict when the unit belongs to another home
   */
  async enable(plan: UnitPlan): Promise<string | null> {
    const { file, role, text } = plan;
    const name = unitName(role);
    if ((await this.#owner(plan)) === 'another') {
      throw new FarkeepError('call.conflict', `The unit ${file} runs the service of another home folder`, {
        hint: 'Remove this unit, or write a unit with another name by hand (farkeep service unit).',
      });
    }
    await mkdir(path.dirname(file), { recursive: true });
    await writeFileAtomically(file, text, { mode: 0o644 });
    try {
      await this.#systemctl(['daemon-reload']);
      await this.#systemctl(['enable', '--now', name]);
    } catch (error) {
      await this.#remove(file, name);
      throw failed(`The unit ${name} could not be switched on`, error);
    }
    if (this.scope === 'system') return null;
    try {
      await this.#run('loginctl', ['enable-linger']);
      return null;
    } catch (error) {
      return `The service starts when ${userInfo().username} logs in. To start it with the computer, run: sudo loginctl enable-linger ${userInfo().username} (${reasonOf(error)})`;
    }
  }

  /** Stops the service, and removes the unit. @throws FarkeepError service.start-failed with the output of systemctl */
  async disable(plan: UnitPlan): Promise<void> {
    const { file, role } = plan;
    const name = unitName(role);
    if ((await this.#owner(plan)) !== 'this') return;
    try {
      await this.#systemctl(['disable', '--now', name]);
    } catch (error) {
      throw failed(`The unit ${name} could not be switched off`, error);
    }
    await this.#remove(file, name);
  }

  /** Starts a unit that is on. */
  async start(role: ServiceRole): Promise<void> {
    try {
      await this.#systemctl(['start', unitName(role)]);
    } catch (error) {
      throw failed(`The unit ${unitName(role)} could not be started`, error);
    }
  }

  /** The instance whose service the unit file runs. */
  async #owner({ file, home }: UnitPlan): Promise<'nobody' | 'this' | 'another'> {
    try {
      const text = await readFile(file, 'utf8');
      return text.split('\n').some((line) => hasHome(line.trimEnd(), home)) ? 'this' : 'another';
    } catch (error) {
      if (isMissing(error)) return 'nobody';
      throw error;
    }
  }

  async #remove(file: string, name: string): Promise<void> {
    await this.#systemctl(['disable', '--now', name]).catch(() => undefined);
    await rm(file, { force: true });
    await this.#systemctl(['daemon-reload']).catch(() => undefined);
  }

  #systemctl(args: readonly string[]): Promise<string> {
    return this.#run('systemctl', this.scope === 'user' ? ['--user', ...args] : args);
  }
}

function hasHome(line: string, home: string): boolean {
  return line.startsWith('ExecStart=') && `${line} `.includes(` ${homeArgument(home)} `);
}

function isRoot(): boolean {
  return process.platform !== 'win32' && userInfo().uid === 0;
}

function userUnitFolder(environment: NodeJS.ProcessEnv): string {
  const config = environment['XDG_CONFIG_HOME'];
  // The specification: a relative path is not valid and is ignored.
  const folder = config !== undefined && path.isAbsolute(config) ? config : path.join(homedir(), '.config');
  return path.join(folder, 'systemd', 'user');
}

function failed(what: string, cause: unknown): FarkeepError {
  return new FarkeepError('service.start-failed', `${what}: ${reasonOf(cause)}`, {
    hint: 'Correct the cause, or write the unit and run the commands by hand.',
    cause,
  });
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
