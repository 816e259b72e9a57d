// Owns opening the job wizard for an existing job. Events that change the job meanwhile do not change what a person types.
import { useState } from 'react';
import type { ReactNode } from 'react';
import { useMirror } from '../../platform/use-mirror.ts';
import { JobWizard } from './job-wizard.tsx';

export function EditJobWizard({ jobId, onClose }: { readonly jobId: string; readonly onClose: () => void }): ReactNode {
  const current = useMirror(({ tenant }) => tenant.jobs.find(({ id }) => id === jobId));
  const [job] = useState(current);
  return job === undefined ? null : <JobWizard job={job} onClose={onClose} />;
}
