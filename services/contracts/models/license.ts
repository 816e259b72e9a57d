// Owns what people see of the provider's license.
import { z } from 'zod';
import { instantSchema } from './values.ts';

export const licenseSummarySchema = z.object({
  /** The licensed organization; under the community license the name of this machine. It is the subject of generated certificates. */
  organization: z.string(),
  edition: z.enum(['community', 'standard', 'enterprise']),
  /** Null: without end. */
  expiresAt: instantSchema.nullable(),
  isCommunity: z.boolean(),
  /** Why a license that was imported does not count any more, such as its end; the community license holds then. Null when all is well. */
  problem: z.string().nullable(),
});
export type LicenseSummary = z.infer<typeof licenseSummarySchema>;
