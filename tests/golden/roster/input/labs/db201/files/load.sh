#!/bin/sh
set -e
runuser -u postgres -- pg_restore -d student /srv/imdb.dump
