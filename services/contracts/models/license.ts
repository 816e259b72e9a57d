// Owns what people see of the provider's license.
import { z } from 'zod';
import { instantSchema } from './values.ts';

export const licenseSummarySchema = z.object({
  /**
   * The licensed organization. Without a license (community license), the name of this machine. This name is the subject of generated
   * certificates.
   */
  organization: z.string(),
  edition: z.enum(['community', 'standard', 'enterprise']),
  /** null: the license does not expire. */
  expiresAt: instantSchema.nullable(),
  isCommunity: z.boolean(),
  /**
   * Why an imported license is not valid any more, for example because it expired; the community license is used then. null when there is
   * no problem.
   */
  problem: z.string().nullable(),
});
export type LicenseSummary = z.infer<typeof licenseSummarySchema>;
