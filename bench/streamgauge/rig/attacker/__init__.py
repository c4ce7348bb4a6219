"""Carries out the attack list, beside users whose streams are watched all the while.

`line`       one connection, any bytes
`bystander`  a user who only wants answers
`scene`      what the attacks share: how to get in, whose runs are under way
`doors`, `identity`, `frames`, `patience`  the attacks, by what they aim at
`timing`     what times tell
`interruption`  what a signal does meanwhile
`campaign`   all of it, from the first bystander to the last answer
"""
