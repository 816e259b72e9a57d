// Owns the wizard "Manage Certificate" for both slots. Before Finish, nothing is stored and nothing is put in service.
import { useState } from 'react';
import type { ReactNode } from 'react';
import type { CertificateCandidate, CertificateSlot } from '../../../services/contracts/models/certificate.ts';
import { useText } from '../../i18n/use-text.ts';
import { providerClients } from '../../platform/clients.ts';
import { formatInstant } from '../../platform/format.ts';
import { useMirror } from '../../platform/use-mirror.ts';
import { nameProblem } from '../../ui/form/field-rules.ts';
import { showToast } from '../../ui/toast-store.ts';
import { Wizard } from '../../ui/wizard/wizard.tsx';
import type { WizardStep } from '../../ui/wizard/wizard.tsx';
import { certificateCommands } from './certificate-command.ts';
import { canKeep, changeDraft, newDraft, stepIdsOf } from './certificate-draft.ts';
import type { CertificateDraft } from './certificate-draft.ts';
import { GeneratePage } from './generate-page.tsx';
import { ImportPage, importFieldOf, importFields } from './import-page.tsx';
import { useImportProgress } from './import-progress.ts';
import { PickPage } from './pick-page.tsx';
import { SummaryPage } from './summary-page.tsx';
import { proposedMoment, switchMoment } from './switch-date.ts';
import { TypePage } from './type-page.tsx';
import { WhenChoice } from './when-choice.tsx';
import type { WhenDraft } from './when-choice.tsx';

interface CertificateWizardProps {
  readonly slot: CertificateSlot;
  /** The change will be announced: the wizard proposes a date, and the certificate in service cannot be chosen. */
  readonly isAnnouncing: boolean;
  readonly onClose: () => void;
}

type LocalErrors = Partial<Record<'friendlyName' | 'pickId' | 'file' | 'date', string>>;

export function CertificateWizard({ slot, isAnnouncing, onClose }: CertificateWizardProps): ReactNode {
  const t = useText();
  const { certificate } = providerClients;
  const installed = useMirror(({ provider }) => provider.certificates[slot]);
  const [draft, setDraft] = useState<CertificateDraft>(() =>
    newDraft(
      isAnnouncing ? null : installed,
      t('certificate.generate.defaultName', { year: String(new Date().getFullYear()) }),
    ),
  );
  const [when, setWhen] = useState<WhenDraft>(() => ({ isAnnounced: isAnnouncing, ...proposedMoment(Date.now()) }));
  const progress = useImportProgress();
  const [openedAt] = useState(() => Date.now());
  const switchAt = when.isAnnounced ? switchMoment(when, openedAt) : null;
  const [isPickUsable, setPickUsable] = useState(false);
  const [errors, setErrors] = useState<LocalErrors>({});

  const change = (change: Parameters<typeof changeDraft>[1]): void => {
    setErrors({});
    setDraft((before) => changeDraft(before, change));
  };
  const keep = (candidate: CertificateCandidate): void => setDraft((before) => ({ ...before, candidate }));
  const refuse = (error: LocalErrors): boolean => {
    setErrors(error);
    return Object.keys(error).length === 0;
  };

  const steps: Readonly<Record<string, WizardStep>> = {
    type: {
      id: 'type',
      title: t('certificate.step.type'),
      intro: t(isAnnouncing ? 'certificate.step.type.intro.announce' : `certificate.step.type.intro.${slot}`),
      content: (
        <TypePage
          slot={slot}
          type={draft.type}
          isKeepPossible={!isAnnouncing && canKeep(installed)}
          isAnnouncing={isAnnouncing}
          onChange={(type) => change({ type })}
        />
      ),
    },
    generate: {
      id: 'generate',
      title: t('certificate.step.generate'),
      intro: t('certificate.generate.intro'),
      fields: ['friendlyName'],
      content: (fieldErrors) => (
        <GeneratePage
          slot={slot}
          friendlyName={draft.friendlyName}
          nameError={errors.friendlyName ?? fieldErrors['friendlyName']}
          onChange={(friendlyName) => change({ friendlyName })}
        />
      ),
      validate: () => {
        const problem = nameProblem(draft.friendlyName);
        return refuse(problem === null ? {} : { friendlyName: t(problem) });
      },
      workLabel: t('certificate.generate.work'),
      work: async (signal) => {
        if (draft.candidate !== null) return;
        keep(await certificate.generate({ slot, friendlyName: draft.friendlyName }, { signal }));
      },
    },
    pick: {
      id: 'pick',
      title: t('certificate.step.pick'),
      intro: t('certificate.pick.intro'),
      content: (
        <PickPage
          slot={slot}
          pickId={draft.pickId}
          error={errors.pickId}
          onChange={(row) => {
            setPickUsable(row !== null && row.unusableReason === null);
            change({ pickId: row?.pickId ?? null });
          }}
        />
      ),
      validate: () => refuse(isPickUsable ? {} : { pickId: t('certificate.pick.none') }),
      workLabel: t('certificate.pick.work'),
      work: async (signal) => {
        if (draft.candidate !== null || draft.pickId === null) return;
        keep(await certificate.pick({ slot, pickId: draft.pickId }, { signal }));
      },
    },
    import: {
      id: 'import',
      title: t('certificate.step.import'),
      intro: t('certificate.import.intro'),
      fields: importFields,
      fieldOf: (error) => importFieldOf(error, draft.keyFile.trim() !== ''),
      content: (fieldErrors) => <ImportPage draft={draft} errors={{ ...fieldErrors, ...errors }} onChange={change} />,
      validate: () => refuse(draft.file.trim() === '' ? { file: t('field.required') } : {}),
      workLabel: t('certificate.import.work'),
      workShare: progress.share,
      work: async (signal) => {
        if (draft.candidate !== null) return;
        const { file, keyFile, password } = draft;
        const input = {
          slot,
          progressId: progress.begin(),
          file: file.trim(),
          ...(keyFile.trim() === '' ? {} : { keyFile: keyFile.trim() }),
          ...(password === '' ? {} : { password }),
        };
        keep(await certificate.importFile(input, { signal }));
      },
    },
    summary: {
      id: 'summary',
      title: t('certificate.step.summary'),
      intro: t(
        draft.type === 'keep'
          ? 'certificate.summary.intro.keep'
          : when.isAnnounced
            ? 'certificate.summary.intro.announce'
            : 'certificate.summary.intro.new',
      ),
      content: summaryOf(draft.type === 'keep' ? installed : draft.candidate),
      validate: () => refuse(when.isAnnounced && switchAt === null ? { date: t('certificate.when.date.invalid') } : {}),
      workLabel: t('certificate.summary.work'),
      work: async (signal) => {
        if (draft.type === 'keep' || draft.candidate === null) return;
        const { candidateId } = draft.candidate;
        if (switchAt !== null) {
          const { next } = await certificate.announceRollover({ candidateId, switchAt }, { signal });
          const date = formatInstant(switchAt);
          showToast('success', t('certificate.announced', { name: next.friendlyName, date }));
          return;
        }
        const stored = await certificate.install({ slot, candidateId }, { signal });
        showToast('success', t('certificate.installed', { name: stored.friendlyName }));
      },
    },
  };

  function summaryOf(shown: (typeof installed & object) | CertificateCandidate | null): ReactNode {
    if (shown === null) return null;
    return (
      <SummaryPage
        slot={slot}
        certificate={shown}
        isReplacing={draft.type !== 'keep' && installed !== null}
        candidateId={draft.candidate?.candidateId ?? null}
        commands={certificateCommands(slot, draft, switchAt)}
        whenChoice={
          // Only changes of the provider identity can be announced.
          slot === 'provider' && draft.type !== 'keep' ? (
            <WhenChoice when={when} error={errors.date} onChange={setWhen} />
          ) : null
        }
      />
    );
  }

  const shown = stepIdsOf(draft.type).map((id) => steps[id]);
  return (
    <Wizard
      help="change-a-certificate"
      title={t('certificate.wizard.title')}
      steps={shown.filter((step) => step !== undefined)}
      isDirty={draft.isDirty}
      onClose={onClose}
    />
  );
}
