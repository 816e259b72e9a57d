// Compares the shapes and bounds in the documents with the schemas, line by line. FARKEEP_WRITE_DOCUMENTS=1 rewrites the documents.
import { describe, it } from 'vitest';
import { z } from 'zod';
import { trustedHostsFileSchema } from '../certstore/trusted-hosts.ts';
import { errorCodeSchema, peerErrorSchema } from '../contracts/error-schemas.ts';
import { errorCatalogue } from '../contracts/errors.ts';
import { invitationSchema } from '../contracts/models/provider.ts';
import { handshakeSteps } from '../contracts/models/handshake.ts';
import { trustJournalEntrySchema } from '../contracts/models/trust.ts';
import { licenseFileSchema } from '../pki/create/license.ts';
import { expectInDocument } from '../testing/document-block.ts';
import { shapeLines, type NamedShapes } from '../testing/schema-text.ts';
import { providerNotifications, tenantNotifications, tenantRequests } from './control-messages.ts';
import { gatewayConfigurationSchema, gatewayReportSchema, linkRequests, routeSchema } from './gateway-link-messages.ts';

const report = tenantNotifications['session.report'].shape;
const finish = tenantRequests['session.finish'].input.shape;

/** The row of an optional list. */
function itemOf(field: z.ZodOptional<z.ZodType>): z.ZodType {
  const row = field.unwrap().meta()?.['row'];
  if (row instanceof z.ZodType) return row;
  throw new Error('This is no list that is read row by row');
}

const controlShapes: NamedShapes = new Map<z.ZodType, string>([
  [errorCodeSchema, 'a code of the list below'],
  [peerErrorSchema, 'error'],
  [finish.progress, 'progress'],
  [report.bottleneck.unwrap(), 'bottleneck'],
  [itemOf(report.steps), 'step'],
  [itemOf(report.actions), 'action'],
  [itemOf(report.objects), 'session-object'],
  [tenantRequests['session.start'].output, 'grant'],
  [tenantRequests['session.resume'].output.options[0], 'committed-before'],
  [providerNotifications['certificate.announced'], 'announcement'],
]);
const linkShapes: NamedShapes = new Map<z.ZodType, string>([
  [routeSchema, 'route'],
  [gatewayConfigurationSchema, 'configuration'],
]);

/** @param withoutOwnName true for a shape that is being described, because it must not be described by its own name */
function described(title: string, shape: z.ZodType, named: NamedShapes, withoutOwnName = false): string[] {
  const names = withoutOwnName ? new Map([...named].filter(([each]) => each !== shape)) : named;
  return [title, ...shapeLines(shape, names)];
}

function requestLines(requests: Record<string, { input: z.ZodType; output: z.ZodType }>, named: NamedShapes): string[] {
  return Object.entries(requests).flatMap(([name, { input, output }]) => [
    ...described(name, input, named),
    ...described(`${name}, answer`, output, named),
  ]);
}

const notificationLines = (notifications: Record<string, z.ZodType>): string[] =>
  Object.entries(notifications).flatMap(([name, shape]) => described(name, shape, controlShapes));

/** Each block is between its two marker comments in a document. */
const blocks: readonly { file: string; name: string; lines: readonly string[] }[] = [
  {
    file: 'control-messages.md',
    name: 'shapes',
    lines: [...controlShapes]
      .filter(([shape]) => shape !== errorCodeSchema)
      .flatMap(([shape, name]) => described(name, shape, controlShapes, true)),
  },
  { file: 'control-messages.md', name: 'requests', lines: requestLines(tenantRequests, controlShapes) },
  { file: 'control-messages.md', name: 'tenant-notifications', lines: notificationLines(tenantNotifications) },
  { file: 'control-messages.md', name: 'provider-notifications', lines: notificationLines(providerNotifications) },
  { file: 'control-messages.md', name: 'invitation', lines: described('invitation', invitationSchema, new Map()) },
  { file: 'control-messages.md', name: 'steps', lines: handshakeSteps },
  { file: 'control-messages.md', name: 'codes', lines: Object.keys(errorCatalogue) },
  { file: 'certificates.md', name: 'journal', lines: described('entry', trustJournalEntrySchema, new Map()) },
  {
    file: 'certificates.md',
    name: 'trusted-hosts',
    lines: described('trusted hosts', trustedHostsFileSchema, new Map()),
  },
  { file: 'certificates.md', name: 'license', lines: described('license file', licenseFileSchema, new Map()) },
  {
    file: 'protocol.md',
    name: 'link-messages',
    lines: [
      ...[...linkShapes].flatMap(([shape, name]) => described(name, shape, linkShapes, true)),
      ...requestLines(linkRequests, linkShapes),
      ...described('gateway-report', gatewayReportSchema, linkShapes),
    ],
  },
];

describe('shapes in the documents', () => {
  it.each(blocks)('$file describes "$name" as the code checks it', ({ file, name, lines }) => {
    expectInDocument(file, name, lines);
  });
});
