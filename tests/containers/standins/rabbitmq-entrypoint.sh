#!/bin/sh
# As the public image does: own the data folder, write the cookie, run the server as its own user.
set -e
home=/var/lib/rabbitmq
if [ "$(id -u)" = 0 ]; then
  if [ -n "$RABBITMQ_ERLANG_COOKIE" ]; then
    printf %s "$RABBITMQ_ERLANG_COOKIE" >$home/.erlang.cookie
    chmod 400 $home/.erlang.cookie
  fi
  chown -R rabbitmq:rabbitmq $home
  [ "$1" != rabbitmq-server ] || exec setpriv --reuid=rabbitmq --regid=rabbitmq --init-groups "$@"
fi
exec "$@"
