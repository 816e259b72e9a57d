// Owns which roles exist and how each is started from a configuration. Loads a role's code only when that role runs in this process.
import type { ServiceRole } from '../contracts/contract.ts';
import type { RunningService, ServiceOptions } from '../kernel/running-service.ts';
import { parseConfig } from './service-config.ts';

export interface LoadedRole {
  /** @throws FarkeepError config.invalid, naming the setting */
  prepare(config: unknown, source: string): PreparedRole;
}

export interface PreparedRole {
  readonly logLevel: 'error' | 'warn' | 'info' | 'debug';
  readonly start: (options: Omit<ServiceOptions<never>, 'config'>) => Promise<RunningService>;
}

export async function loadRole(role: ServiceRole): Promise<LoadedRole> {
  switch (role) {
    case 'provider': {
      const [{ startProvider }, { providerConfigSchema }, { storeAccess, windowsCertificates }] = await Promise.all([
        import('../provider/service.ts'),
        import('../provider/state/config.ts'),
        import('./store-access.ts'),
      ]);
      return {
        prepare(value, source) {
          const config = parseConfig(providerConfigSchema, value, source);
          return {
            logLevel: config.logLevel,
            start: async (options) =>
              startProvider({
                ...options,
                config,
                access: await storeAccess(config.serviceGroup),
                windowsCertificates: windowsCertificates(),
              }),
          };
        },
      };
    }
    case 'tenant': {
      const [{ startTenant }, { tenantConfigSchema }] = await Promise.all([
        import('../tenant/service.ts'),
        import('../tenant/state/config.ts'),
      ]);
      return {
        prepare(value, source) {
          const config = parseConfig(tenantConfigSchema, value, source);
          return { logLevel: config.logLevel, start: (options) => startTenant({ ...options, config }) };
        },
      };
    }
    case 'gateway': {
      const [{ startGatewayRole }, { gatewayConfigSchema }] = await Promise.all([
        import('./gateway-role.ts'),
        import('../gateway/config.ts'),
      ]);
      return {
        prepare(value, source) {
          const config = parseConfig(gatewayConfigSchema, value, source);
          return { logLevel: config.logLevel, start: (options) => startGatewayRole({ ...options, config }) };
        },
      };
    }
  }
}
