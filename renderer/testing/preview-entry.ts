// Entry of the preview: the same app with a bridge without services. Only testing/vite.config.ts builds and serves it.
import '../../services/contracts/zod-setup.ts';
import { createPreviewBridge } from './preview-bridge.ts';
import { sceneOf } from './preview-scene.ts';

const bridge = createPreviewBridge(sceneOf(new URLSearchParams(location.search)));
Object.defineProperty(window, 'farkeep', { value: bridge });
await import('../app/main.tsx');
