import Plan from './plan.js';

export default class Drift extends Plan {
  static override summary =
    'What differs on the hosts from what the inventory says. Exit status 10 where something does.';
  static override description = 'Compares as plan does.';
  static override examples = ['<%= config.bin %> drift', '<%= config.bin %> drift --json'];
}
