/* The first process of a pod: it holds the pod's namespaces, reaps its orphans, and leaves when it is told to. */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static void leave(int number) {
  (void)number;
  _exit(0);
}

static void reap(int number) {
  (void)number;
  while (waitpid(-1, 0, WNOHANG) > 0) {
  }
}

int main(void) {
  struct sigaction on_leave = {.sa_handler = leave};
  struct sigaction on_reap = {.sa_handler = reap, .sa_flags = SA_NOCLDSTOP};
  if (sigaction(SIGINT, &on_leave, 0) || sigaction(SIGTERM, &on_leave, 0) || sigaction(SIGCHLD, &on_reap, 0)) return 1;
  for (;;) pause();
}
