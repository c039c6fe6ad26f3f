export type Stage = 'authenticate' | 'read' | 'prepare' | 'upstream' | 'answer';

/** Is told when a request has come past a stage. */
export interface StageClock {
  passed(stage: Stage): void;
}
