// Owns the sizes of the wizard frame. The frame never changes its size: pages scroll inside it.
import { makeStyles, tokens } from '@fluentui/react-components';

export const useWizardStyles = makeStyles({
  surface: {
    padding: 0,
    width: '920px',
    maxWidth: 'calc(100vw - 48px)',
    // The wizard is as large as the window allows, so long summaries need less scrolling.
    height: 'clamp(600px, calc(100vh - 120px), 760px)',
    maxHeight: 'calc(100vh - 48px)',
    overflow: 'hidden',
  },
  form: { display: 'flex', flexDirection: 'column', height: '100%' },
  header: { padding: '16px 24px', borderBottom: `1px solid ${tokens.colorNeutralStroke2}` },
  title: {
    margin: 0,
    fontSize: tokens.fontSizeBase500,
    lineHeight: tokens.lineHeightBase500,
    fontWeight: tokens.fontWeightSemibold,
  },
  body: { display: 'flex', flexGrow: 1, minHeight: 0 },
  page: {
    flexGrow: 1,
    minWidth: 0,
    display: 'flex',
    flexDirection: 'column',
    padding: '20px 24px 12px 24px',
    overflowY: 'auto',
  },
  stepTitle: {
    margin: 0,
    fontSize: tokens.fontSizeBase400,
    lineHeight: tokens.lineHeightBase400,
    fontWeight: tokens.fontWeightSemibold,
  },
  intro: { margin: '2px 0 0 0', color: tokens.colorNeutralForeground2 },
  error: { marginTop: '12px' },
  content: {
    marginTop: '16px',
    flexGrow: 1,
    // Long pages scroll as a whole. If they shrank instead, they would lie under the progress line, which would take their clicks.
    flexShrink: 0,
    minHeight: 0,
    display: 'flex',
    flexDirection: 'column',
    gap: '14px',
    // A page with a table does not scroll. Only its table scrolls.
    '&:has([role="grid"])': { flexShrink: 1 },
  },
  progress: { minHeight: '34px', flexShrink: 0 },
  progressText: { display: 'flex', alignItems: 'center', gap: '8px', color: tokens.colorNeutralForeground2 },
  footer: {
    display: 'flex',
    gap: '8px',
    alignItems: 'center',
    padding: '14px 24px',
    borderTop: `1px solid ${tokens.colorNeutralStroke2}`,
    backgroundColor: tokens.colorNeutralBackground2,
  },
  footerStart: { flexGrow: 1, display: 'flex', gap: '8px' },
});
