// Domain of the license, served by the provider service.
import { z } from 'zod';
import { defineDomain } from '../contract.ts';
import { licenseSummarySchema } from '../models/license.ts';
import { emptySchema } from '../models/values.ts';

export const licenseDomain = defineDomain({
  name: 'license',
  targets: ['provider'],
  commands: {
    show: { input: emptySchema, output: licenseSummarySchema },
    /**
     * Reads a file on the service's machine. Errors license.invalid and license.expired, each with its reason; the current license then
     * stays.
     */
    importFile: { input: z.object({ file: z.string().min(1).max(4096) }), output: licenseSummarySchema },
  },
  events: {
    changed: { payload: licenseSummarySchema },
  },
});
