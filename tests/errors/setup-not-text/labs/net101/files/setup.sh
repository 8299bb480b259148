#!/bin/sh
# für alle
