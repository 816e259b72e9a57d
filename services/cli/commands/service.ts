// Owns `farkeep service`: starting a service with the computer, as a systemd unit; its settings are in service-settings.ts. `farkeep serve` runs the service itself.
import { fileURLToPath } from 'node:url';
import { Argument, type Command } from 'commander';
import { serviceRoles, type ServiceRole } from '../../contracts/contract.ts';
import { UnitManager, type UnitPlan } from '../../host/units/unit-manager.ts';
import { FarkeepError } from '../../kernel/farkeep-error.ts';
import type { CommandContext, DefineAction } from '../command-context.ts';
import { registerServiceSettings } from './service-settings.ts';

const commandEntry = fileURLToPath(new URL('../cli-entry.ts', import.meta.url));

interface UnitOptions {
  readonly system?: true;
  readonly user?: string;
  readonly config?: string;
}

export function registerService(program: Command, action: DefineAction): void {
  const group = program
    .command('service')
    .description('settings of a service, and its start with the computer (systemd)');
  registerServiceSettings(group, action);
  const role = (): Argument => new Argument('<role>', 'the service').choices(serviceRoles);
  group
    .command('unit')
    .description('print the systemd unit of a service, and the commands that switch it on; changes nothing')
    .addArgument(role())
    .option('--system', 'a unit of the system, not of this account')
    .option('--user <name>', 'account of a system unit (default: root)')
    .option('--config <file>', 'JSON configuration of the service')
    .addHelpText(
      'after',
      '\nExamples:\n  $ farkeep service unit tenant\n' +
        '  $ farkeep service unit provider --system --user farkeep --home /var/lib/farkeep',
    )
    .action(
      action((context, ofRole: ServiceRole, options: UnitOptions) => {
        const { output } = context;
        const isSystem = options.system === true || options.user !== undefined;
        const units = new UnitManager(isSystem ? { scope: 'system' } : {});
        const plan = planOf(units, context, ofRole, options);
        output.result(shapeOf(plan), () => plan.text.trimEnd());
        output.note(`Write it to ${plan.file}, then run:\n${plan.commands.map((line) => `  ${line}`).join('\n')}`);
        return Promise.resolve();
      }),
    );
  group
    .command('install')
    .description('write the unit of a service, start it now and with the computer')
    .addArgument(role())
    .option('--config <file>', 'JSON configuration of the service')
    .addHelpText(
      'after',
      '\nAs root it is a unit of the system, else of this account.\n\nExample:\n  $ farkeep service install tenant',
    )
    .action(
      action(async (context, ofRole: ServiceRole, options: UnitOptions) => {
        const units = await usableUnits();
        const plan = planOf(units, context, ofRole, options);
        if (!(await units.isOn(plan))) await requireStopped(context, ofRole);
        const warning = await units.enable(plan);
        if (warning !== null) context.output.note(warning);
        context.output.result({ ok: true, ...shapeOf(plan), warning }, () => `Switched on: ${plan.file}`);
      }),
    );
  group
    .command('uninstall')
    .description('stop a service, and remove its unit; all data stays')
    .addArgument(role())
    .addHelpText('after', '\nExample:\n  $ farkeep service uninstall tenant')
    .action(
      action(async (context, ofRole: ServiceRole) => {
        const units = await usableUnits();
        const plan = planOf(units, context, ofRole, {});
        await units.disable(plan);
        context.output.result({ ok: true, role: ofRole, file: plan.file }, () => `Removed: ${plan.file}`);
      }),
    );
}

function planOf(units: UnitManager, { home }: CommandContext, role: ServiceRole, options: UnitOptions): UnitPlan {
  return units.plan({
    role,
    home,
    nodeExecutable: process.execPath,
    commandEntry,
    configFile: options.config,
    user: options.user,
  });
}

function shapeOf({ role, scope, file, text, commands }: UnitPlan): Omit<UnitPlan, 'home'> {
  return { role, scope, file, text, commands };
}

async function usableUnits(): Promise<UnitManager> {
  const units = new UnitManager();
  const problem = await units.problem();
  if (problem === null) return units;
  throw new FarkeepError('service.start-failed', problem, {
    hint: 'Start the service in another way: farkeep serve ROLE. "farkeep service unit ROLE" prints the unit.',
  });
}

/** The service of the unit could not get the lock of the folder, and would be restarted without end. */
async function requireStopped(context: CommandContext, role: ServiceRole): Promise<void> {
  const isRunning = await context.connect(role).then(
    () => true,
    () => false,
  );
  if (!isRunning) return;
  throw new FarkeepError('call.conflict', `The ${role} service runs already in ${context.home}`, {
    hint: 'Stop it first. In the console: Options > General > Services.',
  });
}
