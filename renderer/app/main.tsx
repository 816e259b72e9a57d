// Entry of the renderer: zod first (strict CSP), then the styles' nonce, then the app. Nothing else happens here.
import '../../services/contracts/zod-setup.ts';
import { RendererProvider, createDOMRenderer } from '@fluentui/react-components';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import '../ui/base.css';
import '../ui/fonts.css';
import { App } from './app.tsx';
import { watchFocusBumpers } from './focus-bumpers.ts';

const root = document.getElementById('root');
if (root === null) throw new Error('index.html has no #root');

/** The protocol handler puts a fresh nonce here for every load; the CSP allows style elements that carry it. */
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
