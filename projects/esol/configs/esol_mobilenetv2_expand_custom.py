_base_ = [
    './_base_/esol_mobilenetv2.py',
    '../../../configs/_base_/datasets/custom_cam-224x224.py',
    './_base_/expand_custom.py'
]

model = dict(
    head=dict(
        stage='expand',
        lambda_e=0.05,
        present_only=True,
        co_trained=['kernel', 'classifier']))
load_from = 'work_dirs/esol_mobilenetv2_warm_custom/epoch_8.pth'
