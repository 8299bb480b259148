#!/bin/sh
# Runs once in your copy. A failing command ends it, so a half-filled database never goes unseen.
set -eu
runuser -u student -- psql --quiet --set ON_ERROR_STOP=1 --file /srv/films.sql student
