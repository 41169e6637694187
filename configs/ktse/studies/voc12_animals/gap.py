_base_ = './gpp.py'

model = dict(head=dict(type='CAMHead'))
