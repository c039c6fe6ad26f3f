import { readdirSync, readFileSync } from 'node:fs';
import { defineConfig, type Plugin } from 'vite';

const providers = new URL('../../libs/app-catalog/providers/', import.meta.url);

/** Data files that the code reads beside itself: the catalogue of providers. */
const dataFiles: Plugin = {
  name: 'data-files',
  generateBundle() {
    for (const file of readdirSync(providers)) this.emitFile({ type: 'asset', fileName: `providers/${file}`, source: readFileSync(new URL(file, providers)) });
  },
};

/** The programs of other processes: they lie beside the chunks that start them, by the name that those know. */
const workers = { 'import-worker': '../control-plane/src/servers/tools/import-worker.ts' };

// One executable: the workspace's own code is bundled (each role a chunk of its own, loaded when it is run),
// packages from the registry stay outside.
export default defineConfig({
  logLevel: 'warn',
  plugins: [dataFiles],
  build: {
    ssr: true,
    rolldownOptions: {
      input: { main: 'src/main.ts', ...workers },
      output: { entryFileNames: ({ name }) => (name in workers ? 'assets/[name].js' : '[name].js') },
    },
    target: 'node22',
    outDir: 'dist',
    emptyOutDir: true,
    sourcemap: true,
    minify: false,
  },
  ssr: { noExternal: [/^@gatehouse\//] },
});
