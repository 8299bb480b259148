#!/bin/sh
echo "{{ this is no template }}"
