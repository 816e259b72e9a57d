// Owns the provider's row of the role table.
import { defaultPorts } from '../contracts/default-ports.ts';
import { defineRole } from './role-row.ts';
import { firstOf, logLevelFlag, parseAddress, type ServeFlag } from './serve-flags.ts';

const flags: readonly ServeFlag[] = [
  {
    name: 'name',
    value: 'NAME',
    description: 'what tenants see as the name of the provider',
    toConfig: (values) => ({ name: firstOf(values) }),
  },
  {
    name: 'control',
    value: 'HOST:PORT',
    description: `where gateways pass control connections to (127.0.0.1:${defaultPorts.provider.control})`,
    toConfig: (values) => ({ control: parseAddress('control', firstOf(values)) }),
  },
  {
    name: 'infrastructure',
    value: 'HOST:PORT',
    description: `where gateways dial their link (0.0.0.0:${defaultPorts.provider.infrastructure})`,
    toConfig: (values) => ({ infrastructure: parseAddress('infrastructure', firstOf(values)) }),
  },
  {
    name: 'infrastructure-address',
    value: 'HOST',
    description: 'the address in enrollment tokens, to which gateways connect',
    toConfig: (values) => ({ infrastructureAddress: firstOf(values) }),
  },
  {
    name: 'mover-host',
    value: 'HOST',
    description: 'where target data movers listen for gateways (127.0.0.1)',
    toConfig: (values) => ({ moverHost: firstOf(values) }),
  },
  {
    name: 'advertised-host',
    value: 'HOST',
    description: 'the address under which gateways reach control and movers',
    toConfig: (values) => ({ advertisedHost: firstOf(values) }),
  },
  {
    name: 'allow-direct-control',
    description: 'let tenants connect without a gateway (for looking into trouble)',
    toConfig: () => ({ isDirectControlAllowed: true }),
  },
  {
    name: 'service-group',
    value: 'GROUP',
    description: 'group that may read the certificate store: 0640 and 0750 instead of 0600 and 0700 (Linux, macOS)',
    toConfig: (values) => ({ serviceGroup: firstOf(values) }),
  },
  logLevelFlag,
];

export const providerRole = defineRole({
  name: 'provider',
  summary: 'stores backups of tenants, authorizes sessions',
  examples: [
    'farkeep serve provider',
    'farkeep serve provider --config /etc/farkeep/provider.json',
    'farkeep serve provider --infrastructure 0.0.0.0:6169 --infrastructure-address provider.example',
  ],
  flags,
  load: async () => {
    const [{ startProvider }, { providerConfigSchema }, { storeAccess, windowsCertificates }] = await Promise.all([
      import('../provider/service.ts'),
      import('../provider/state/config.ts'),
      import('./store-access.ts'),
    ]);
    return {
      configSchema: providerConfigSchema,
      start: async (options) =>
        startProvider({
          ...options,
          access: await storeAccess(options.config.serviceGroup),
          windowsCertificates: windowsCertificates(),
        }),
    };
  },
});
