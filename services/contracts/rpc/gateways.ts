// Domain of the provider's gateways, served by the provider service.
import { z } from 'zod';
import { defineDomain } from '../contract.ts';
import { gatewayCheckSchema, gatewaySchema } from '../models/provider.ts';
import { emptySchema, hostSchema, idSchema, instantSchema, newNameSchema, portSchema } from '../models/values.ts';
import { rowList } from '../row-list.ts';

const dayMs = 86_400_000;
const gatewayInput = z.object({ gatewayId: idSchema });
const addressesSchema = z
  .array(z.object({ host: hostSchema, port: portSchema }))
  .min(1)
  .max(16);
const validMsSchema = z
  .int()
  .min(60_000)
  .max(30 * dayMs)
  .default(dayMs);
const tokenOutput = z.object({ gateway: gatewaySchema, token: z.string(), expiresAt: instantSchema });

export const gatewaysDomain = defineDomain({
  name: 'gateways',
  targets: ['provider'],
  commands: {
    list: { input: emptySchema, output: z.object({ gateways: rowList(gatewaySchema) }) },
    /** Makes a gateway and its one-time enrollment token. `addresses` are the addresses to which tenants connect. */
    createEnrollToken: {
      input: z.object({
        name: newNameSchema,
        addresses: addressesSchema,
        validMs: validMsSchema,
        /**
         * The gateway runs on the provider's computer. Otherwise a provider that other computers cannot reach refuses
         * (`gateway.provider-not-reachable`), unless the addresses show that the gateway is on this computer.
         */
        isOnThisComputer: z.boolean().default(false),
      }),
      output: tokenOutput,
    },
    /** A new one-time token for a gateway that exists, also if it is enrolled. The enrollment stays valid until the token is used. */
    renewEnrollToken: { input: gatewayInput.extend({ validMs: validMsSchema }), output: tokenOutput },
    /** Changes name and addresses. Absent fields stay as they are. */
    set: {
      input: gatewayInput.extend({ name: newNameSchema.optional(), addresses: addressesSchema.optional() }),
      output: gatewaySchema,
    },
    setEnabled: { input: gatewayInput.extend({ isEnabled: z.boolean() }), output: gatewaySchema },
    remove: { input: gatewayInput, output: emptySchema },
    doctor: { input: emptySchema, output: z.object({ checks: rowList(gatewayCheckSchema) }) },
  },
  events: {
    changed: { payload: gatewaySchema },
    removed: { payload: gatewayInput },
  },
});
