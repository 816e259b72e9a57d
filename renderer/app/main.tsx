// Entry of the renderer: zod first (strict CSP), then the nonce of the styles, then the app. Must do nothing else.
import '../../services/contracts/zod-setup.ts';
import { RendererProvider, createDOMRenderer } from '@fluentui/react-components';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import '../ui/base.css';
import '../ui/fonts.css';
import { App } from './app.tsx';
import { watchFocusBumpers } from './keyboard/focus-bumpers.ts';

const root = document.getElementById('root');
if (root === null) throw new Error('index.html has no #root');

/** The protocol handler writes a new nonce here for every load. The CSP allows style elements with this nonce. */
const nonce = document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content ?? '';
const renderer = createDOMRenderer(document, { styleElementAttributes: { nonce } });

watchFocusBumpers(document.body);
createRoot(root).render(
  <StrictMode>
    <RendererProvider renderer={renderer} targetDocument={document}>
      <App />
    </RendererProvider>
  </StrictMode>,
);
