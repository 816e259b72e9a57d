// Domain served by every service process: its version, addresses and health.
import { z } from 'zod';
import { defineDomain } from '../contract.ts';
import { serviceInfoSchema } from '../models/service.ts';
import { emptySchema } from '../models/values.ts';

export const serviceDomain = defineDomain({
  name: 'service',
  targets: ['provider', 'gateway', 'tenant'],
  commands: {
    info: { input: emptySchema, output: serviceInfoSchema },
  },
  events: {
    healthChanged: { payload: z.object({ health: z.enum(['running', 'degraded']), reason: z.string().nullable() }) },
  },
});
