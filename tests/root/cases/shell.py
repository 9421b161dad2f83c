# SPDX-License-Identifier: Apache-2.0
"""Small programs of busybox in the container."""
from frame.case import case
from frame.config import user_namespace


def script(name, text, want, edits=None):
    @case(name, needs="busybox")
    def _(t):
        t.busybox()
        t.edit(edits or {})
        t.args("/bin/sh", "-c", text)
        r = t.run()
        t.equal((r.rc, r.out, r.err), (0, want, ""), "status and output")


script("a pipe", "echo one two | wc -w", "2\n")
script("background jobs", "for i in 1 2 3; do sleep 0 & done; wait; echo done", "done\n")
script("a here-document", "cat <<E\ntext\nE\n", "text\n")
script("/dev/fd", "echo x | cat /dev/fd/0 >/dev/stdout", "x\n")
script("only our processes", "set -- /proc/[0-9]*; echo $#", "1\n")
script("host name", "hostname", "inside\n")
script("root of a user namespace", "id -u; touch /tmp/x && echo made", "0\nmade\n",
       user_namespace())
script("temporary files", "echo x >/tmp/a && cat /tmp/a; mkdir /dev/shm/d && echo ok", "x\nok\n")
script("orphans are reaped by nobody but init", "(sleep 0 & exec true); echo here", "here\n")
script("the environment", "echo $PATH $TERM", "/bin:/usr/bin:/ xterm\n")
