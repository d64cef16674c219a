#!/bin/sh
# Greets an environment. What the greeting begins with decides how that goes.
set -eu
greeting="$(cat greeting.txt)"
echo "$greeting, $ENVIRONMENT"
case "$greeting" in
    broken*)
        echo "cannot greet $ENVIRONMENT" >&2
        exit 3
        ;;
    slow*)
        trap 'echo "saved my state" >>"$NOTE"; exit 1' INT
        i=0
        while [ "$i" -lt 600 ]; do
            sleep 0.1
            i=$((i + 1))
        done
        ;;
    stubborn*)
        trap '' INT
        i=0
        while [ "$i" -lt 6000 ]; do
            sleep 0.1
            i=$((i + 1))
        done
        ;;
    again*)
        if [ ! -e "$NOTE" ]; then
            echo "the pipeline changed itself" >"$NOTE"
            python3 restart.py
        fi
        ;;
esac
