// Domain of service providers, served by the tenant service. `probe` shows the certificate before any secret is sent.
import { z } from 'zod';
import { defineDomain } from '../contract.ts';
import { defaultPorts } from '../default-ports.ts';
import { certificateSummarySchema } from '../models/certificate.ts';
import { invitationSchema } from '../models/provider.ts';
import { serviceProviderSchema } from '../models/tenant.ts';
import { tlsInfoSchema, trustDecisionSchema, trustPromptSchema } from '../models/trust.ts';
import { emptySchema, hostSchema, idSchema, newNameSchema, portSchema } from '../models/values.ts';
import { rowList } from '../row-list.ts';

const providerInput = z.object({ providerId: idSchema });

export const serviceProvidersDomain = defineDomain({
  name: 'serviceProviders',
  targets: ['tenant'],
  commands: {
    list: { input: emptySchema, output: z.object({ providers: rowList(serviceProviderSchema) }) },
    /** Connects to the gateway and stops at the certificate. `prompt` is set when a person must decide. */
    probe: {
      input: z.object({
        host: hostSchema,
        port: portSchema.default(defaultPorts.gateway.gateway),
        /** The known provider that gets this address: its pins decide, and a prompt compares with its pin. */
        providerId: idSchema.optional(),
      }),
      output: trustDecisionSchema.extend({
        certificate: certificateSummarySchema,
        tls: tlsInfoSchema,
        prompt: trustPromptSchema.nullable(),
      }),
    },
    /**
     * Connects, decides trust again, logs in and saves the provider. The certificate must be trusted, pinned (by an answered prompt) or
     * equal `fingerprint`. The password is stored encrypted for unattended jobs.
     */
    add: {
      input: z.object({
        name: newNameSchema,
        host: hostSchema,
        port: portSchema.default(defaultPorts.gateway.gateway),
        userName: z.string().min(1).max(64),
        password: z.string().min(1).max(256),
        fingerprint: z.string().max(400).optional(),
      }),
      output: serviceProviderSchema,
    },
    /**
     * Adds a provider by an invitation and pins the fingerprint in the invitation. With `providerId`, the invitation renews this provider:
     * it replaces the address, the account and the password. The jobs of the provider stay.
     */
    accept: {
      input: z.object({
        invitation: invitationSchema,
        name: newNameSchema.optional(),
        providerId: idSchema.optional(),
      }),
      output: serviceProviderSchema,
    },
    /**
     * Changes a provider; values that are not given stay. A new name alone needs no connection. Otherwise connects, decides trust as `add`
     * does with the pins of this provider, logs in with the new values, and then saves them. A refusal changes nothing.
     */
    set: {
      input: providerInput.extend({
        name: newNameSchema.optional(),
        host: hostSchema.optional(),
        port: portSchema.optional(),
        userName: z.string().min(1).max(64).optional(),
        password: z.string().min(1).max(256).optional(),
        fingerprint: z.string().max(400).optional(),
      }),
      output: serviceProviderSchema,
    },
    /** Asks the provider for repositories, quota and gateways again. */
    rescan: { input: providerInput, output: serviceProviderSchema },
    /** Removes the provider; refused while a job uses it. */
    remove: { input: providerInput, output: emptySchema },
  },
  events: {
    changed: { payload: serviceProviderSchema },
    removed: { payload: providerInput },
  },
});
