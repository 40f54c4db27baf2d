import { Task } from 'sluice'
import { effectForkJoin } from '../peers/effect-task.ts'
import { type Row, rate } from '../row.ts'

const TASKS = 500_000

export const task: Row = {
  id: 'task',
  work: 'Task async and await (5 s timeout armed), 500 k in sequence',
  unit: 'tasks a second',
  ours: { name: 'sluice', measure: () => rate(TASKS, tasks) },
  peers: [
    { name: 'Effect fork and join', goal: 2, measure: () => rate(TASKS, () => effectForkJoin(TASKS, false)) },
    {
      name: 'Effect fork and join, run inside the fork',
      goal: null,
      measure: () => rate(TASKS, () => effectForkJoin(TASKS, true)),
    },
  ],
}

async function tasks(): Promise<number> {
  let sum = 0
  for (let started = 0; started < TASKS; started++) sum += await Task.async(() => 1).await()
  return sum
}
