// Domain of tenant accounts, served by the provider service.
import { z } from 'zod';
import { defineDomain } from '../contract.ts';
import { invitationSchema, maxTasksSchema, tenantAccountSchema, tenantNameSchema } from '../models/provider.ts';
import { bytesSchema, displayNameSchema, emptySchema, idSchema, instantSchema } from '../models/values.ts';
import { rowList } from '../row-list.ts';

const dayMs = 86_400_000;
const passwordSchema = z.string().min(8).max(256);
const quotasSchema = z.array(z.object({ repository: displayNameSchema, limitBytes: bytesSchema })).max(64);

export const tenantsDomain = defineDomain({
  name: 'tenants',
  targets: ['provider'],
  commands: {
    list: { input: emptySchema, output: z.object({ tenants: rowList(tenantAccountSchema) }) },
    add: {
      input: z.object({
        name: tenantNameSchema,
        password: passwordSchema,
        quotas: quotasSchema.min(1),
        leaseUntil: instantSchema.nullable().default(null),
        maxTasks: maxTasksSchema.nullable().optional(),
      }),
      output: tenantAccountSchema,
    },
    set: {
      input: z.object({
        tenantId: idSchema,
        password: passwordSchema.optional(),
        quotas: quotasSchema.optional(),
        leaseUntil: instantSchema.nullable().optional(),
        /** null: the value in the provider's configuration. */
        maxTasks: maxTasksSchema.nullable().optional(),
        isEnabled: z.boolean().optional(),
      }),
      output: tenantAccountSchema,
    },
    /** Removes the account. Its backups stay in the repository folders until the provider deletes them. */
    remove: { input: z.object({ tenantId: idSchema }), output: emptySchema },
    invite: {
      input: z.object({
        tenantId: idSchema,
        validMs: z
          .int()
          .min(60_000)
          .max(30 * dayMs)
          .default(3 * dayMs),
      }),
      output: z.object({ invitation: invitationSchema }),
    },
  },
  events: {
    changed: { payload: tenantAccountSchema },
    removed: { payload: z.object({ tenantId: idSchema }) },
  },
});
