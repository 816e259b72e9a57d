// Owns the table of all roles. To add a role: add its name to `serviceRoles` (services/contracts/contract.ts), its row here, and its code.
import type { ServiceRole } from '../contracts/contract.ts';
import { gatewayRole } from './gateway-role.ts';
import { providerRole } from './provider-role.ts';
import type { RoleRow } from './role-row.ts';
import { tenantRole } from './tenant-role.ts';

export const roleTable: Readonly<Record<ServiceRole, RoleRow>> = {
  provider: providerRole,
  gateway: gatewayRole,
  tenant: tenantRole,
};
