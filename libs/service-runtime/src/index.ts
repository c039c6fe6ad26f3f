export { drainServer, type DrainOptions } from './drain-server.ts';
export { createLogger, describeError, lineWriter, type Logger } from './logger.ts';
export { nestLogger } from './nest-logger.ts';
export { observeProcess } from './process-metrics.ts';
export { describeSettings, InvalidSettingsError, readSettings, type Setting, settingName, settingSchemas, type SettingValues } from './settings.ts';
export { version } from './version.ts';
