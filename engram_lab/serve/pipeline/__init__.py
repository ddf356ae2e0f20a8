"""What every request passes, one small piece after another.

request id (`edge`) → `tenant` → `authentication` → `membership` → `rate` → `quota` → handler →
usage (`ending`)
"""
