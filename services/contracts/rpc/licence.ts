// Domain of the licence, served by the provider service.
import { z } from 'zod';
import { defineDomain } from '../contract.ts';
import { licenceSummarySchema } from '../models/licence.ts';
import { emptySchema } from '../models/values.ts';

export const licenceDomain = defineDomain({
  name: 'licence',
  targets: ['provider'],
  commands: {
    show: { input: emptySchema, output: licenceSummarySchema },
    /** Reads a file on the service's machine. Errors licence.invalid and licence.expired, each with its reason; the licence before stays. */
    importFile: { input: z.object({ file: z.string().min(1).max(4096) }), output: licenceSummarySchema },
  },
  events: {
    changed: { payload: licenceSummarySchema },
  },
});
