// Owns the parsing of errors that come over a carrier or the wire. The catalogue itself is errors.ts.
import { z } from 'zod';
import { errorCatalogue, type ErrorCode, type ErrorInfo } from './errors.ts';

export const errorCodeSchema = z.enum(Object.keys(errorCatalogue) as [ErrorCode, ...ErrorCode[]]);

export const errorInfoSchema = z.object({
  code: errorCodeSchema,
  message: z.string(),
  hint: z.string(),
  field: z.string().optional(),
  retryable: z.boolean(),
  correlationId: z.string().optional(),
  details: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.array(z.string())])).optional(),
}) satisfies z.ZodType<ErrorInfo>;
