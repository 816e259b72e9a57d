// Domain of a gateway process itself: enrollment and counters.
import { z } from 'zod';
import { defineDomain } from '../contract.ts';
import { bytesSchema, countSchema, emptySchema, instantSchema } from '../models/values.ts';

export const gatewayNodeStatusSchema = z.object({
  isEnrolled: z.boolean(),
  link: z.enum(['not-enrolled', 'connecting', 'connected', 'waiting']),
  linkReason: z.string().nullable(),
  providerAddress: z.string().nullable(),
  listeners: z.array(z.string()),
  connections: countSchema,
  relayedBytes: bytesSchema,
  refusedConnections: countSchema,
  startedAt: instantSchema,
});

export const gatewayNodeDomain = defineDomain({
  name: 'gatewayNode',
  targets: ['gateway'],
  commands: {
    status: { input: emptySchema, output: gatewayNodeStatusSchema },
    /** Uses a one-time token of the provider. A gateway that is already enrolled needs `replace`. */
    enroll: {
      input: z.object({ token: z.string().min(1).max(4096), replace: z.boolean().default(false) }),
      output: gatewayNodeStatusSchema,
    },
  },
  events: {
    statusChanged: { payload: gatewayNodeStatusSchema },
  },
});
