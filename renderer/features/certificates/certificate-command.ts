// Owns the command line that does the same as the wizard. Pure. The command takes passwords from a file that the user names.
import type { CertificateSlot } from '../../../services/contracts/models/certificate.ts';
import { commandLine } from '../../platform/command-line.ts';
import type { CertificateDraft } from './certificate-draft.ts';

/** Returns one command, or two for an announced date: the first command stores the certificate, the second command announces it. */
export function certificateCommands(
  slot: CertificateSlot,
  draft: CertificateDraft,
  switchAt: string | null,
): readonly string[] {
  const command = certificateCommand(slot, draft);
  if (switchAt === null || draft.type === 'keep') return [command];
  const name = draft.candidate?.friendlyName ?? draft.friendlyName;
  const announce = commandLine('certificate', 'rollover', 'announce', name, '--at', switchAt);
  const isStored = draft.type === 'pick' && draft.pickId?.startsWith('farkeep:') === true;
  return isStored ? [announce] : [command.replace(/ --install$/, ''), announce];
}

export function certificateCommand(slot: CertificateSlot, draft: CertificateDraft): string {
  switch (draft.type) {
    case 'keep':
      return commandLine('certificate', 'show', '--slot', slot);
    case 'generate':
      return commandLine('certificate', 'generate', '--slot', slot, '--friendly-name', draft.friendlyName, '--install');
    case 'pick':
      return pickCommand(slot, draft.pickId ?? '');
    case 'import':
      return commandLine(
        ...['certificate', 'import', '--slot', slot, '--file', draft.file],
        ...(draft.keyFile === '' ? [] : ['--key', draft.keyFile]),
        ...(draft.password === '' ? [] : ['--password-file', 'PASSWORD_FILE']),
        '--install',
      );
  }
}

/** A certificate of Farkeep's own store is already stored. A certificate of another store is copied first. */
function pickCommand(slot: CertificateSlot, pickId: string): string {
  return pickId.startsWith('farkeep:')
    ? commandLine('certificate', 'install', pickId.slice('farkeep:'.length), '--slot', slot)
    : commandLine('certificate', 'pick', pickId, '--slot', slot, '--install');
}
