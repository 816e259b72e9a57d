// Owns parsing errors that arrive over a carrier or the wire. The catalogue itself is errors.ts.
import { z } from 'zod';
import { errorCatalogue, type ErrorCode, type ErrorInfo } from './errors.ts';

export const errorCodeSchema = z.enum(Object.keys(errorCatalogue) as [ErrorCode, ...ErrorCode[]]);

const detailsSchema = z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.array(z.string())]));
type Details = z.infer<typeof detailsSchema>;

export const errorInfoSchema = z.object({
  code: errorCodeSchema,
  message: z.string(),
  hint: z.string(),
  field: z.string().optional(),
  retryable: z.boolean(),
  correlationId: z.string().optional(),
  details: detailsSchema.optional(),
}) satisfies z.ZodType<ErrorInfo>;

const maxDetails = 16;
const maxDetailEntries = 50;
const maxDetailLength = 500;

const clipped = (max: number): z.ZodType<string, string> => z.string().transform((text) => text.slice(0, max));

/**
 * An error that another machine reports. Long texts are cut, because the error is stored with a session and shown. A code from a newer
 * version becomes `call.internal`; the text is kept.
 */
export const peerErrorSchema = z.object({
  code: errorCodeSchema.catch('call.internal'),
  message: clipped(2000),
  hint: clipped(1000),
  field: clipped(100).optional(),
  retryable: z.boolean(),
  correlationId: clipped(64).optional(),
  details: detailsSchema.transform(clipDetails).optional(),
});

function clipDetails(details: Details): Details {
  const entries = Object.entries(details).slice(0, maxDetails);
  return Object.fromEntries(entries.map(([name, value]) => [name.slice(0, 64), clipDetail(value)]));
}

function clipDetail(value: Details[string]): Details[string] {
  if (typeof value === 'string') return value.slice(0, maxDetailLength);
  return Array.isArray(value) ? value.slice(0, maxDetailEntries).map((each) => each.slice(0, maxDetailLength)) : value;
}
