// Owns what people see of the provider's licence.
import { z } from 'zod';
import { instantSchema } from './values.ts';

export const licenceSummarySchema = z.object({
  /** The licensed organisation; under the community licence the name of this machine. It is the subject of generated certificates. */
  organisation: z.string(),
  edition: z.enum(['community', 'standard', 'enterprise']),
  /** Null: without end. */
  expiresAt: instantSchema.nullable(),
  isCommunity: z.boolean(),
  /** Why a licence that was imported does not count any more, such as its end; the community licence holds then. Null when all is well. */
  problem: z.string().nullable(),
});
export type LicenceSummary = z.infer<typeof licenceSummarySchema>;
