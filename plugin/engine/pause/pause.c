/* The built-in pause: the first process of a namespace owner. It keeps the namespaces, reaps what is left to it, and
 * ends at once when it is asked to, so that stopping a service does not wait ten seconds for a SIGKILL. */
#include <signal.h>
#include <stddef.h>
#include <sys/wait.h>
#include <unistd.h>

static void end(int signal) {
  (void)signal;
  _exit(0);
}

static void reap(int signal) {
  (void)signal;
  while (waitpid(-1, NULL, WNOHANG) > 0) {
  }
}

int main(void) {
  /* As pid 1 of its namespace it has no default action: a signal without a handler is ignored. */
  struct sigaction action = {.sa_handler = end};
  sigaction(SIGTERM, &action, NULL);
  sigaction(SIGINT, &action, NULL);
  struct sigaction child = {.sa_handler = reap, .sa_flags = SA_NOCLDSTOP};
  sigaction(SIGCHLD, &child, NULL);
  for (;;) pause();
}
