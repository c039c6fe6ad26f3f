import js from '@eslint/js';
import nx from '@nx/eslint-plugin';
import tseslint from 'typescript-eslint';

/** The direction (ARCHITECTURE.md): app → runtime → domain → protocol → kernel; domain may use domain. */
const depConstraints = [
  { sourceTag: 'layer:kernel', onlyDependOnLibsWithTags: ['layer:kernel'] },
  { sourceTag: 'layer:protocol', onlyDependOnLibsWithTags: ['layer:kernel'] },
  { sourceTag: 'layer:domain', onlyDependOnLibsWithTags: ['layer:domain', 'layer:protocol', 'layer:kernel'] },
  { sourceTag: 'layer:runtime', onlyDependOnLibsWithTags: ['layer:domain', 'layer:protocol', 'layer:kernel'] },
  { sourceTag: 'plane:control', notDependOnLibsWithTags: ['plane:data'] },
  { sourceTag: 'plane:data', notDependOnLibsWithTags: ['plane:control'] },
  { sourceTag: 'layer:app', onlyDependOnLibsWithTags: ['layer:app', 'layer:runtime', 'layer:domain', 'layer:protocol', 'layer:kernel'] },
  { sourceTag: 'layer:test', onlyDependOnLibsWithTags: ['*'] },
];

/** Packages that only some places may import: [pattern, why, the globs that may]. */
const packageHomes = [
  { group: ['@nestjs/*'], message: 'Nest is the edge: only apps and service-runtime import it.', allowed: ['apps/**', 'libs/service-runtime/**'] },
  { group: ['typeorm', 'pg', '@nestjs/typeorm'], message: 'The database belongs to the control plane.', allowed: ['apps/control-plane/**'] },
  { group: ['ioredis'], message: 'Redis is reached through snapshot-channel.', allowed: ['libs/snapshot-channel/**', 'apps/control-plane/**'] },
];

const restrictImports = (homes) => ({
  '@typescript-eslint/no-restricted-imports': ['error', { patterns: homes.map(({ group, message }) => ({ group, message })) }],
});
const isAllowed = (home, place) => home.allowed.some((glob) => glob === place || (glob === 'apps/**' && place.startsWith('apps/')));
const places = ['apps/control-plane/**', 'apps/data-plane/**', 'apps/gatehouse/**', 'libs/service-runtime/**', 'libs/snapshot-channel/**'];

export default tseslint.config(
  { ignores: ['**/dist/**', '**/node_modules/**', '.nx/**', '**/generated/**'] },
  js.configs.recommended,
  ...tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: { allowDefaultProject: ['*.js'] }, tsconfigRootDir: import.meta.dirname } },
    plugins: { '@nx': nx },
    rules: {
      '@nx/enforce-module-boundaries': ['error', { enforceBuildableLibDependency: false, allow: [], depConstraints }],
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      'no-console': 'error',
      'no-restricted-properties': ['error', { object: 'process', property: 'env', message: 'Settings are read once, in environment.ts.' }],
    },
  },
  { files: ['libs/**/*.ts', 'apps/**/*.ts'], rules: restrictImports(packageHomes) },
  ...places.map((place) => ({ files: [place], rules: restrictImports(packageHomes.filter((home) => !isAllowed(home, place))) })),
  {
    files: ['**/environment.ts', '**/*.spec.ts', 'test/**', 'bench/**', '**/*.config.ts'],
    rules: { 'no-restricted-properties': 'off' },
  },
  // Specs may use test/support, whose layer is above theirs; .nxignore keeps them out of the graph.
  { files: ['**/*.spec.ts', '**/spec-support.ts', '**/spec-support/**'], rules: { '@nx/enforce-module-boundaries': 'off', '@typescript-eslint/no-restricted-imports': 'off' } },
  // Tests may reach any part of the workspace.
  { files: ['test/**', 'bench/**'], rules: { 'no-console': 'off', '@nx/enforce-module-boundaries': 'off' } },
  { files: ['**/*.js'], ...tseslint.configs.disableTypeChecked },
  { files: ['**/*.js'], languageOptions: { globals: { process: 'readonly', URL: 'readonly', console: 'readonly' } } },
);
