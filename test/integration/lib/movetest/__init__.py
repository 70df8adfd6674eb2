"""What the integration scenarios are written with.

Modules:
    entry     gets a scenario into the environment that has MySQL and pymysql
    cluster   the four local servers
    tool      YAML files, runs and commands of build/move-tables
    shop      tables people recognise, and transactions that keep an invariant
    proxy     a TCP proxy that cuts connections in every way a network knows
    tls       certificates, right and wrong
    receiver  a hook receiver that records, checks and misbehaves on request
    compare   source against target, byte by byte; knows nothing of the tool
    scenario  cases, conditions with deadlines, the main program
"""
