// Owns the gateway's row of the role table.
import { defaultPorts } from '../contracts/default-ports.ts';
import { defineRole } from './role-row.ts';
import { firstOf, logLevelFlag, parseAddress, type ServeFlag } from './serve-flags.ts';

const flags: readonly ServeFlag[] = [
  {
    name: 'listen',
    value: 'HOST:PORT',
    description: `where tenants connect ([::]:${defaultPorts.gateway.gateway}, which takes IPv4 as well); repeatable`,
    isRepeatable: true,
    toConfig: (values) => ({ listen: values.map((value) => parseAddress('listen', value)) }),
  },
  {
    name: 'name',
    value: 'NAME',
    description: 'what the gateway calls itself towards the provider (the name of this machine)',
    toConfig: (values) => ({ name: firstOf(values) }),
  },
  {
    name: 'token-file',
    value: 'FILE',
    description: 'enrollment token of the provider; used once, then no longer needed',
    toConfig: (values) => ({ enrollmentTokenFile: firstOf(values) }),
  },
  logLevelFlag,
];

export const gatewayRole = defineRole({
  name: 'gateway',
  summary: 'accepts tenants on one port and relays their traffic; holds no keys',
  examples: [
    'farkeep serve gateway --token-file token.txt          the first time: enrolls, then runs',
    'farkeep serve gateway --listen 0.0.0.0:6180           from then on',
  ],
  flags,
  load: async () => {
    const [{ startHostedGateway }, { gatewayConfigSchema }] = await Promise.all([
      import('./hosted-gateway.ts'),
      import('../gateway/config.ts'),
    ]);
    return { configSchema: gatewayConfigSchema, start: startHostedGateway };
  },
});
