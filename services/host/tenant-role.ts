// Owns the tenant's row of the role table.
import { defineRole } from './role-row.ts';
import { logLevelFlag, type ServeFlag } from './serve-flags.ts';

const flags: readonly ServeFlag[] = [
  {
    name: 'extra-root',
    value: 'FILE',
    description: 'PEM file with authorities to trust besides those of the system',
    isRepeatable: true,
    toConfig: (values) => ({ extraRoots: [...values] }),
  },
  logLevelFlag,
];

export const tenantRole = defineRole({
  name: 'tenant',
  summary: 'runs backup and restore jobs of this computer',
  examples: ['farkeep serve tenant', 'farkeep serve tenant --home /srv/farkeep --log-level debug'],
  flags,
  load: async () => {
    const [{ startTenant }, { tenantConfigSchema }] = await Promise.all([
      import('../tenant/service.ts'),
      import('../tenant/state/config.ts'),
    ]);
    return { configSchema: tenantConfigSchema, start: startTenant };
  },
});
