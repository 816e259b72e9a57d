// Owns the start of the services with the computer: systemd units where they exist, else the login item of the console. Hands a service
// over from the console to its unit and back. Must not write units itself.
import type { ServiceRole } from '../../../services/contracts/contract.ts';
import { certificateDomain } from '../../../services/contracts/rpc/certificate.ts';
import type { Autostart } from '../../../services/contracts/rpc/console.ts';
import type { UnitManager, UnitPlan } from '../../../services/host/units/unit-manager.ts';
import { FarkeepError } from '../../../services/kernel/farkeep-error.ts';
import type { Supervisor } from './supervisor.ts';

/** The login item of the console: macOS and Windows. */
export interface LoginItem {
  isOn(): boolean;
  set(isOn: boolean): void;
}

export interface AutostartOptions {
  readonly supervisor: Supervisor;
  readonly roles: () => readonly ServiceRole[];
  /** Undefined on a platform without systemd. */
  readonly units: UnitManager | undefined;
  readonly planOf: (units: UnitManager, role: ServiceRole) => UnitPlan;
  readonly loginItem: LoginItem | undefined;
  /** Stores whether another program starts the service of a role. */
  readonly setStartedElsewhere: (role: ServiceRole, isElsewhere: boolean) => void;
}

const stopDeadlineMs = 15_000;

export class AutostartManager {
  readonly #options: AutostartOptions;

  constructor(options: AutostartOptions) {
    this.#options = options;
  }

  async describe(): Promise<Autostart> {
    const { units, loginItem, roles, planOf } = this.#options;
    if (units === undefined) {
      const isLoginItemOn = loginItem?.isOn() ?? false;
      return { method: loginItem === undefined ? 'none' : 'login-item', reason: null, isLoginItemOn, units: [] };
    }
    const reason = await units.problem();
    const plans = roles().map((role) => planOf(units, role));
    return {
      method: reason === null ? 'systemd' : 'none',
      reason,
      isLoginItemOn: false,
      units: await Promise.all(
        plans.map(async (plan) => ({
          role: plan.role,
          isOn: reason === null && (await units.isOn(plan)),
          file: plan.file,
          text: plan.text,
          commands: [...plan.commands],
        })),
      ),
    };
  }

  /** @returns a warning, or null. @throws FarkeepError; the service then runs as before */
  async set(role: ServiceRole | null, isOn: boolean): Promise<string | null> {
    const { units, loginItem, planOf } = this.#options;
    if (role === null) {
      if (loginItem === undefined) throw notHere('A login item exists only on macOS and Windows');
      loginItem.set(isOn);
      return null;
    }
    const problem = units === undefined ? 'Only systemd starts single services.' : await units.problem();
    if (units === undefined || problem !== null) throw notHere(problem ?? '');
    const plan = planOf(units, role);
    if ((await units.isOn(plan)) === isOn) return null;
    return isOn ? this.#handOver(units, plan) : this.#takeBack(units, plan);
  }

  /** Starts the unit of a role. @returns false when the role has no unit that is on */
  async startUnit(role: ServiceRole): Promise<boolean> {
    const { units, planOf } = this.#options;
    if (units === undefined || (await units.problem()) !== null || !(await units.isOn(planOf(units, role))))
      return false;
    await units.start(role);
    return true;
  }

  async #handOver(units: UnitManager, plan: UnitPlan): Promise<string | null> {
    const { supervisor, setStartedElsewhere } = this.#options;
    const { role } = plan;
    const { origin, pid } = supervisor.find(role);
    if (origin === 'attached' && pid !== null) {
      throw new FarkeepError('call.conflict', `Another program started the ${role} service (process ${pid})`, {
        hint: 'Stop this service first. If another systemd unit starts it, it starts with the computer already.',
      });
    }
    if (role === 'provider') await this.#requireKeyFile();
    // The unit's service needs the lock of the folder.
    await supervisor.leave(role, stopDeadlineMs);
    try {
      const warning = await units.enable(plan);
      setStartedElsewhere(role, true);
      supervisor.start(role);
      return warning;
    } catch (error) {
      supervisor.startHere(role);
      throw error;
    }
  }

  async #takeBack(units: UnitManager, plan: UnitPlan): Promise<null> {
    const { supervisor, setStartedElsewhere } = this.#options;
    const { role } = plan;
    await supervisor.leave(role, stopDeadlineMs);
    try {
      await units.disable(plan);
    } catch (error) {
      supervisor.start(role);
      throw error;
    }
    setStartedElsewhere(role, false);
    supervisor.startHere(role);
    return null;
  }

  /** Only a service that the console started gets the key of the keychain. */
  async #requireKeyFile(): Promise<void> {
    const call = { domain: certificateDomain.name, command: 'getSettings', input: {} };
    const result = await this.#options.supervisor.call('provider', call, new AbortController().signal);
    if (!result.ok) throw FarkeepError.fromInfo(result.error);
    const { protection } = certificateDomain.commands.getSettings.output.parse(result.value);
    if (protection.kind !== 'os-keychain') return;
    throw new FarkeepError('call.conflict', 'The keychain protects the private keys of the provider', {
      hint: 'Only a service that this console started can use the keychain. First choose the key file: Options > Security.',
    });
  }
}

function notHere(reason: string): FarkeepError {
  return new FarkeepError('call.refused', `The console cannot switch this on here: ${reason}`, {
    hint: 'Write the unit and run the commands by hand.',
  });
}
