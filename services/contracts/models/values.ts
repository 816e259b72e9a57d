// Owns the small value schemas that models share.
import { z } from 'zod';

/** 32 lower-case hex digits: identifies a session, restore point, job or certificate. */
export const idSchema = z.string().regex(/^[0-9a-f]{32}$/);
/** ISO 8601 in UTC with milliseconds. */
export const instantSchema = z.iso.datetime();
export const bytesSchema = z.number().int().nonnegative();
export const countSchema = z.number().int().nonnegative();
/** A name that a person chose: 1 to 100 characters, no control characters, no leading or trailing space. */
export const displayNameSchema = z
  .string()
  .min(1)
  .max(100)
  .regex(/^[^\p{Cc}]+$/u)
  .refine((name) => name.trim() === name, 'has a space at its start or end');
/**
 * A name for a new object; existing names stay valid. Refused in new names: a leading dash (looks like an option), 32 hex digits (looks
 * like an identifier), and invisible characters.
 */
export const newNameSchema = displayNameSchema
  .refine((name) => !name.startsWith('-'), 'must not start with a dash')
  .refine((name) => !/^[0-9a-f]{32}$/.test(name), 'must not look like an identifier')
  .refine((name) => !/[\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u.test(name), 'must not contain invisible characters');
/** DNS name (internationalized names as A-label), IPv4 or IPv6 address without brackets. */
export const hostSchema = z
  .string()
  .min(1)
  .max(253)
  .regex(/^[A-Za-z0-9._:-]+$/);
export const portSchema = z.int().min(1).max(65535);
/** 16 hex digits that people see in place of Key A and Key B. */
export const keyIdentifierSchema = z.string().regex(/^[0-9a-f]{16}$/);
export const emptySchema = z.object({});
