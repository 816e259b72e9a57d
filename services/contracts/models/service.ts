// Owns what people see of a service process.
import { z } from 'zod';
import { serviceRoles } from '../contract.ts';
import { errorInfoSchema } from '../error-schemas.ts';
import { countSchema, instantSchema } from './values.ts';

export const serviceRoleSchema = z.enum(serviceRoles);

export const serviceInfoSchema = z.object({
  role: serviceRoleSchema,
  version: z.string(),
  node: z.string(),
  openssl: z.string(),
  pid: z.int(),
  home: z.string(),
  startedAt: instantSchema,
  listeners: z.record(z.string(), z.string()),
  health: z.enum(['running', 'degraded']),
  reason: z.string().nullable(),
  /** The configuration file that the service has read; null: none. */
  configFile: z.string().nullable().optional(),
  /** Settings that come from the command line of the service and win over the file. */
  flagSettings: z.array(z.string()).optional(),
});
export type ServiceInfo = z.infer<typeof serviceInfoSchema>;

/** A service process as shown by its console. */
export const supervisedServiceSchema = z.object({
  role: serviceRoleSchema,
  /** `awaited`: the service was started outside this console, and its local socket does not answer now. */
  state: z.enum(['starting', 'running', 'degraded', 'stopping', 'stopped', 'failed', 'awaited']),
  /** `started` by this console, or started by another program and `attached` over its local socket. */
  origin: z.enum(['started', 'attached']).default('started'),
  /** An awaited service did not answer for a while, so the user may start one on this computer. */
  canStartHere: z.boolean().default(false),
  /** Why the service is degraded or failed, for people. */
  reason: z.string().nullable(),
  error: errorInfoSchema.nullable(),
  pid: z.int().nullable(),
  restarts: countSchema,
  /** Changes with every start of the process. */
  incarnation: countSchema,
  listeners: z.record(z.string(), z.string()),
});
export type SupervisedService = z.infer<typeof supervisedServiceSchema>;
