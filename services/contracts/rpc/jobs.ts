// Domain of backup jobs, served by the tenant service.
import { z } from 'zod';
import { defineDomain } from '../contract.ts';
import { checkedSourceSchema, jobSchema } from '../models/tenant.ts';
import { displayNameSchema, emptySchema, idSchema, newNameSchema } from '../models/values.ts';
import { rowList } from '../row-list.ts';

const jobInput = z.object({ jobId: idSchema });
const settings = {
  sourcePaths: z.array(z.string().min(1).max(4096)).min(1).max(100),
  excludes: z.array(z.string().min(1).max(1000)).max(1000),
  streams: z.int().min(1).max(16),
};

export const jobsDomain = defineDomain({
  name: 'jobs',
  targets: ['tenant'],
  commands: {
    list: { input: emptySchema, output: z.object({ jobs: rowList(jobSchema) }) },
    add: {
      input: z.object({
        name: newNameSchema,
        sourcePaths: settings.sourcePaths,
        excludes: settings.excludes.default([]),
        providerId: idSchema,
        repository: displayNameSchema,
        streams: settings.streams.default(2),
      }),
      output: jobSchema,
    },
    set: {
      input: jobInput.extend({
        name: newNameSchema.optional(),
        sourcePaths: settings.sourcePaths.optional(),
        excludes: settings.excludes.optional(),
        streams: settings.streams.optional(),
        /** A new destination gets a full backup; error session.busy while a session of the job runs or is paused. */
        providerId: idSchema.optional(),
        repository: displayNameSchema.optional(),
      }),
      output: jobSchema,
    },
    /** Looks at paths on the computer of the service, as `add` and `set` do. One result for each path, in the same order. */
    checkSources: {
      input: z.object({ sourcePaths: settings.sourcePaths }),
      output: z.object({ sources: z.array(checkedSourceSchema) }),
    },
    /** Starts a session and returns at once; error session.busy when a session of this job runs. */
    run: {
      input: jobInput.extend({
        /** Reads every file, also files that look unchanged. A change through a memory mapping can leave the file's time unchanged. */
        isFullRead: z.boolean().default(false),
        /** The user expects much less data than in the last good run, so there is no warning about less data. */
        isLessAccepted: z.boolean().default(false),
      }),
      output: z.object({ sessionId: idSchema }),
    },
    /** Removes the job. Its restore points stay at the provider. */
    remove: { input: jobInput, output: emptySchema },
  },
  events: {
    changed: { payload: jobSchema },
    removed: { payload: jobInput },
  },
});
